/**
 * Where huggingface_hub has its files (huggingface.co/docs/huggingface_hub, environment variables),
 * so that both find each other's.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `getHFHubCachePath` of @huggingface/hub expands neither ~ nor $HOME, as huggingface_hub does, and
 * reads the process's environment only.
 */
export function cacheDirectory(env: Environment): string {
  return expandPath(env.HF_HUB_CACHE ?? env.HUGGINGFACE_HUB_CACHE ?? join(home(env), 'hub'), env);
}

/** Where `hf auth login` keeps the token that is in use. */
export function tokenPath(env: Environment): string {
  return expandPath(env.HF_TOKEN_PATH ?? join(home(env), 'token'), env);
}

const home = (env: Environment): string =>
  env.HF_HOME ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'huggingface');

/** Python's `expanduser` and `expandvars`. */
function expandPath(path: string, env: Environment): string {
  return path
    .replace(/^~(?=$|[/\\])/, homedir)
    .replace(/\$(?:(\w+)|\{(\w+)\})/g, (whole, bare, braced) => env[bare ?? braced] ?? whole);
}

/** Whether a variable that switches something on does, as huggingface_hub reads it. */
export const isOn = (value: string | undefined): boolean => /^(1|on|yes|true)$/i.test(value ?? '');
