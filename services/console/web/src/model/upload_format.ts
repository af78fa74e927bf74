// Which kind of upload a file is, by its name.
import type { UploadFormat } from '../api/types';

/** The format of a dropped or chosen file; null when Davit cannot read it as a context. */
export function formatOfFile(name: string, type: string): UploadFormat | null {
  const lower = name.toLowerCase();
  if (/\.(tar|tar\.gz|tgz|tar\.zst|tzst)$/.test(lower)) return 'tar';
  if (lower.endsWith('.zip')) return 'zip';
  if (/^(.*[./_-])?(dockerfile|containerfile)([./_-].*)?$/.test(lower)) return 'dockerfile';
  return type.startsWith('text/plain') ? 'dockerfile' : null;
}
