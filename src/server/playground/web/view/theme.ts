/** Light, dark, or as the system has it. The stylesheet knows only `data-theme`. */
import { announce } from './announce.js';
import { byId } from './elements.js';
import { THEME_KEY } from './theme-at-once.js';

const THEMES = ['system', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

export function themeSwitch(): void {
  const made = byId<HTMLButtonElement>('theme');
  const show = (theme: Theme) => {
    made.setAttribute('aria-label', `Colours: ${theme}`);
    made.title = `Colours: ${theme}`;
    made.querySelector('use')!.setAttribute('href', `#icon-theme-${theme}`);
  };
  made.addEventListener('click', () => {
    const next = THEMES[(THEMES.indexOf(current()) + 1) % THEMES.length];
    document.documentElement.dataset.theme = next;
    localStorage.setItem(THEME_KEY, next);
    show(next);
    announce(`Colours: ${next}`);
  });
  show(current());
}

const current = (): Theme =>
  THEMES.find(theme => theme === document.documentElement.dataset.theme) ?? 'system';
