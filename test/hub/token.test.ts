import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findToken } from '../../src/hub/token.js';
import { emptyDirectory, refusal, Setting } from './support.js';

/** A home of huggingface_hub in which `hf auth login` was run. */
async function loggedIn(token = 'hf_file\n'): Promise<string> {
  const home = await emptyDirectory();
  await writeFile(join(home, 'token'), token);
  return home;
}

/**
 * huggingface_hub 2.4.0 gives the same for each but the option: `HF_HOME=… python -c "from
 * huggingface_hub import get_token; print(get_token())"`.
 */
describe('the token', () => {
  it.each<[Record<string, string>, string | undefined]>([
    [{}, 'hf_file'],
    [{ HF_TOKEN: 'hf_env\n' }, 'hf_env'],
    [{ HF_TOKEN: '', HUGGING_FACE_HUB_TOKEN: 'hf_old' }, 'hf_old'],
    [{ HF_TOKEN: 'hf_env', HUGGING_FACE_HUB_TOKEN: 'hf_old' }, 'hf_env'],
    [{ HF_TOKEN: ' \n' }, 'hf_file'],
    [{ HF_TOKEN_PATH: '$HF_HOME/other' }, 'hf_other'],
    [{ HF_TOKEN_PATH: '$HF_HOME/nowhere' }, undefined],
    [{ HF_TOKEN_PATH: '$HF_HOME/empty' }, undefined],
  ])('with %j and a file', async (env, expected) => {
    const home = await loggedIn();
    await writeFile(join(home, 'other'), 'hf_other');
    await writeFile(join(home, 'empty'), '\n');
    expect((await findToken(undefined, { HF_HOME: home, ...env }))?.value).toBe(expected);
  });

  it('of an option comes first, and HF_HUB_DISABLE_IMPLICIT_TOKEN leaves only that', async () => {
    const env = {
      HF_HOME: await loggedIn(),
      HF_TOKEN: 'hf_env',
      HF_HUB_DISABLE_IMPLICIT_TOKEN: '1',
    };
    expect((await findToken('hf_mine', env))?.value).toBe('hf_mine');
    expect(await findToken(undefined, env)).toBeUndefined();
  });

  it('that cannot be one is refused without being shown, and named by where it is', async () => {
    const home = await loggedIn('hf_secret\nother');
    const cases = [
      [{ HF_HOME: home }, join(home, 'token')],
      [{ HF_TOKEN: 'hf_secret\nother' }, 'HF_TOKEN'],
    ] as const;
    for (const [env, from] of cases) {
      const error = await findToken(undefined, env).catch(reason => reason);
      expect(error).toMatchObject(refusal('BAD_OPTION', from));
      expect(error.message).not.toContain('secret');
    }
    const huge = findToken(undefined, { HF_HOME: await loggedIn('x'.repeat(70_000)) });
    await expect(huge).rejects.toMatchObject(refusal('BAD_OPTION', '70000 bytes'));
  });

  it('of hf auth login goes to the hub, and a refusal says where it is from', async () => {
    await using setting = await Setting.create();
    const home = await loggedIn('hf_secret');
    const env = { HF_ENDPOINT: setting.hub.endpoint, HF_HUB_CACHE: setting.cache, HF_HOME: home };
    setting.hub.order(/revision/, { status: 401 });
    const error = await setting.download({ env }).catch(reason => reason);
    expect(error).toMatchObject(
      refusal('UNAUTHORIZED', 'does not accept the token', join(home, 'token')),
    );
    expect(error.message).not.toContain('secret');
    await setting.download({ env });
    expect(
      setting.hub.asked.every(
        ({ server, token }) => (server === 'hub') === (token === 'hf_secret'),
      ),
    ).toBe(true);
  });

  it('is not looked for offline', async () => {
    await using setting = await Setting.create();
    await setting.download();
    await mkdir(join(setting.root, 'home/token'), { recursive: true });
    await setting.download({
      env: { HF_HUB_CACHE: setting.cache, HF_TOKEN: 'a b', HF_HUB_OFFLINE: '1' },
    });
  });
});

describe('a name and a password in HF_ENDPOINT', () => {
  it('go to the hub in place of the token, to nobody else, and into no message', async () => {
    await using setting = await Setting.create();
    const endpoint = setting.hub.endpoint.replace('//', '//me:secret@');
    setting.hub.order(/revision/, { status: 401 });
    const error = await setting.download({ endpoint, token: 'hf_x' }).catch(reason => reason);
    expect(error).toMatchObject(
      refusal('UNAUTHORIZED', 'does not accept the name and password in HF_ENDPOINT'),
    );
    expect(error.message).not.toMatch(/secret|hf_x/);
    await setting.download({ endpoint, token: 'hf_x' });
    const basic = `Basic ${Buffer.from('me:secret').toString('base64')}`;
    const sent = setting.hub.asked.map(({ server, token }) => `${server} ${token}`);
    expect(new Set(sent)).toEqual(new Set([`hub ${basic}`, 'storage undefined']));
  });
});
