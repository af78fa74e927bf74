// Light or dark: the system's choice, unless the person chose. The choice is kept in this browser only.

export type Theme = 'auto' | 'light' | 'dark';
const KEY = 'davit.theme';

export function chosenTheme(): Theme {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === 'light' || stored === 'dark' ? stored : 'auto';
  } catch {
    return 'auto';
  }
}

/** Shows a theme and remembers it. */
export function chooseTheme(theme: Theme): void {
  try {
    if (theme === 'auto') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Storage is refused in some private windows: the choice then lasts as long as the page.
  }
  showTheme(theme);
}

/** Puts the theme on the document, where the style sheets look for it. */
export function showTheme(theme: Theme): void {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
