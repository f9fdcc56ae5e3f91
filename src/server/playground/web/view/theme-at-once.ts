/** The colours that somebody chose, before anything is painted: nothing else waits for less. */

export const THEME_KEY = 'llama-32k.theme';

document.documentElement.dataset.theme = localStorage.getItem(THEME_KEY) ?? 'system';
