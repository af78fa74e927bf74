// Addresses of the app: the path in the location bar is the truth. Links are real links, so that opening in a new tab works.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';

const CHANGED = 'davit:navigated';

/** Goes to another page of the app. */
export function navigate(to: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'replace') history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  window.dispatchEvent(new Event(CHANGED));
}

export interface Location {
  path: string;
  query: URLSearchParams;
}

function read(): Location {
  return { path: location.pathname.replace(/\/+$/, '') || '/', query: new URLSearchParams(location.search) };
}

/** Where the app is; renders again when that changes. */
export function useLocation(): Location {
  const [here, setHere] = useState(read);
  useEffect(() => {
    const update = () => setHere(read());
    window.addEventListener('popstate', update);
    window.addEventListener(CHANGED, update);
    return () => {
      window.removeEventListener('popstate', update);
      window.removeEventListener(CHANGED, update);
    };
  }, []);
  return here;
}

/** Changes one parameter of the query without a new history entry; '' removes it. */
export function setQuery(name: string, value: string): void {
  const query = new URLSearchParams(location.search);
  if (value) query.set(name, value);
  else query.delete(name);
  const text = query.toString();
  navigate(location.pathname + (text ? `?${text}` : ''), 'replace');
}

/** The parts of a path that match a pattern such as `/builds/:id`, or null. */
export function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  const parts: Record<string, string> = {};
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i]!.startsWith(':')) {
      try {
        parts[wanted[i]!.slice(1)] = decodeURIComponent(given[i]!);
      } catch {
        return null;
      }
    } else if (wanted[i] !== given[i]) return null;
  }
  return parts;
}

interface LinkProps {
  href: string;
  children?: ComponentChildren;
  class?: string;
  title?: string;
  'aria-current'?: 'page' | undefined;
  'aria-label'?: string;
}

/** A link within the app. */
export function Link({ href, ...rest }: LinkProps) {
  return (
    <a
      href={href}
      {...rest}
      onClick={(event) => {
        if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        navigate(href);
        window.scrollTo(0, 0);
      }}
    />
  );
}
