import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');
const cache = join(root, 'node_modules/.cache/ballast');

/** Where this copy of Ballast lies, and where it may keep what it can make again. */
export const installation = {
  root,
  cache,
  compileCache: join(cache, 'compile'),
  images: join(cache, 'images'),
  /** Program and first argument of the ballast command, for processes that it starts. */
  command: [process.execPath, ...process.execArgv, join(import.meta.dirname, 'main.ts')] as [string, ...string[]],
} as const;
