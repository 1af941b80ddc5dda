import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Where imported files come from. */
export interface CorefileSource {
  /** The text of a file; undefined when there is none. */
  readText(path: string): string | undefined;
  isDirectory(path: string): boolean;
  /** Files that match a pattern with at most one `*` and one `?`, in lexical order. */
  glob(pattern: string): string[];
}

/** Refuses all imports of files; for Corefiles out of a ConfigMap or a test. */
export const noFiles: CorefileSource = { readText: () => undefined, isDirectory: () => false, glob: () => [] };

/** The files of this machine. */
export const localFiles: CorefileSource = {
  readText(path) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  },
  isDirectory: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false,
  glob(pattern) {
    const star = pattern.split('/');
    let folders = [pattern.startsWith('/') ? '/' : '.'];
    for (const [i, part] of star.entries()) {
      if (part === '') continue;
      const last = i === star.length - 1;
      folders = folders.flatMap((folder) =>
        matchesIn(folder, part).filter((path) => last || localFiles.isDirectory(path)),
      );
    }
    return folders.filter((path) => !localFiles.isDirectory(path)).toSorted();
  },
};

function matchesIn(folder: string, part: string): string[] {
  if (!/[*?]/.test(part)) return [join(folder, part)];
  const source = part
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace('*', '[^/]*')
    .replace('?', '[^/]');
  const pattern = new RegExp(`^${source}$`);
  try {
    return readdirSync(folder)
      .filter((name) => pattern.test(name))
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}
