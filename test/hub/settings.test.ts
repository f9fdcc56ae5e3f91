import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type DownloadOptions, settingsOf } from '../../src/hub/settings.js';

/**
 * huggingface_hub 2.4.0 gives the same for each: `HF_HOME=… python -c "from
 * huggingface_hub.constants import *; print(HF_HUB_CACHE)"`.
 */
describe('the cache', () => {
  it.each([
    [{}, join(homedir(), '.cache/huggingface/hub')],
    [{ XDG_CACHE_HOME: '/x' }, '/x/huggingface/hub'],
    [{ XDG_CACHE_HOME: '/x', HF_HOME: '/h' }, '/h/hub'],
    [{ HF_HOME: '/h', HUGGINGFACE_HUB_CACHE: '/old' }, '/old'],
    [{ HF_HOME: '/h', HUGGINGFACE_HUB_CACHE: '/old', HF_HUB_CACHE: '/c' }, '/c'],
    [{ HF_HOME: '~/h' }, join(homedir(), 'h/hub')],
    [{ HF_HUB_CACHE: '~' }, homedir()],
    [{ HF_HUB_CACHE: '/a~/~b' }, '/a~/~b'],
    [{ HF_HOME: '$SCRATCH/h', SCRATCH: '/s' }, '/s/h/hub'],
    [{ HF_HUB_CACHE: `\${SCRATCH}_$NOWHERE`, SCRATCH: '/s' }, '/s_$NOWHERE'],
  ])('of %j', (env, directory) => {
    expect(settingsOf({ env }).cacheDir).toBe(directory);
  });
});

describe('other settings', () => {
  it('have defaults', () => {
    expect(settingsOf({ env: {} })).toMatchObject({
      revision: 'main',
      endpoint: { url: 'https://huggingface.co' },
      offline: false,
    });
  });

  it('come from the environment, and options win', () => {
    const env = {
      HF_ENDPOINT: 'https://mirror/hf/',
      HF_HUB_OFFLINE: '1',
      HF_HUB_CACHE: '/env',
    };
    expect(settingsOf({ env })).toMatchObject({
      endpoint: { url: 'https://mirror/hf' },
      offline: true,
    });
    const options = { revision: 'v1.0/beta', offline: false, cacheDir: '/mine' };
    expect(settingsOf({ env, endpoint: 'http://localhost', ...options })).toEqual({
      endpoint: { url: 'http://localhost' },
      ...options,
    });
    expect(settingsOf({ env: { TRANSFORMERS_OFFLINE: '1' } }).offline).toBe(true);
  });

  it.each(['1', 'ON', 'yes', 'True'])('HF_HUB_OFFLINE=%s is offline', value => {
    expect(settingsOf({ env: { HF_HUB_OFFLINE: value } }).offline).toBe(true);
  });

  it.each(['', '0', 'no', 'off', '11'])('HF_HUB_OFFLINE=%s is not', value => {
    expect(settingsOf({ env: { HF_HUB_OFFLINE: value } }).offline).toBe(false);
  });

  it.each<[object, string]>([
    [{ revison: 'x' }, '"revison" is not an option; there are: revision, only'],
    [{ revision: '' }, 'revision is ""'],
    [{ revision: '../main' }, 'revision is "../main"; it must be a branch, a tag or a commit'],
    [{ revision: 'a\\b' }, 'revision is'],
    [{ revision: 7 }, 'revision is 7'],
    [{ only: 'weights' }, 'only is "weights"; it must be tokenizer'],
    [{ endpoint: 'huggingface.co' }, 'HF_ENDPOINT is "huggingface.co"; it must be a URL'],
    [{ endpoint: 'file:///etc' }, 'HF_ENDPOINT is'],
  ])('%j is refused', (options, message) => {
    const refused = expect.objectContaining({
      code: 'BAD_OPTION',
      message: expect.stringContaining(message),
    });
    expect(() => settingsOf({ env: {}, ...(options as DownloadOptions) })).toThrow(refused);
  });
});

describe('an address with a name and a password', () => {
  it.each([
    ['https://me:secret@mirror/hf/', 'https://mirror/hf', 'me:secret'],
    ['http://me%40home:p%3Aw@localhost:81', 'http://localhost:81', 'me@home:p:w'],
    ['https://me:50%@mirror', 'https://mirror', 'me:50%'],
    ['https://key@mirror', 'https://mirror', 'key:'],
  ])('%s is taken apart, as HTTP Basic has it (RFC 7617)', (endpoint, url, credentials) => {
    const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
    expect(settingsOf({ env: {}, endpoint }).endpoint).toEqual({ url, authorization });
  });

  it.each([
    'me:secret@mirror',
    'ftp://me:secret@mirror',
    'https://me:sec/ret@mirror',
    'https://mirror/?key=secret',
    'https://me:secret@mirror:99999',
  ])('that is none, %s, is refused without being shown', endpoint => {
    const settings = () => settingsOf({ env: {}, endpoint });
    expect(settings).toThrow(/^HF_ENDPOINT is "[^"]*"; it must be a URL/);
    expect(settings).toThrow(/^(?!.*(sec|ret|key))/s);
  });
});
