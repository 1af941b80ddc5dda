import { BallastError } from '@ballast/base';
import { runAnyExit } from './process.ts';

/**
 * Why nft refused. 'nft-mismatch': the kernel does not hold what the script assumes (something to delete is gone, something to add exists
 * already, a table or set is missing or of another type): write everything anew. 'nft-denied': no CAP_NET_ADMIN.
 */
export type NftErrorCode = 'nft-missing' | 'nft-mismatch' | 'nft-denied' | 'nft-syntax' | 'nft-crashed' | 'nft-failed';

/** Signatures of nft's messages; the first that fits names the error. */
const SIGNATURES: readonly (readonly [RegExp, NftErrorCode])[] = [
  [/syntax error|unexpected|datatype mismatch/i, 'nft-syntax'],
  [/Operation not permitted|Permission denied/i, 'nft-denied'],
  [/No such file or directory|File exists|does not exist|already exists|conflicting/i, 'nft-mismatch'],
  [/Assertion|core dumped/i, 'nft-crashed'],
];

/** What went wrong, from nft's exit code and its messages. */
export function classifyNftFailure(exitCode: number, stderr: string): NftErrorCode {
  const found = SIGNATURES.find(([pattern]) => pattern.test(stderr))?.[1];
  return found ?? (exitCode >= 128 ? 'nft-crashed' : 'nft-failed');
}

export interface NftOptions {
  readonly signal?: AbortSignal;
  /** Network namespace (a name of `ip netns`) instead of one's own. */
  readonly netns?: string;
}

/** Applies a script as one transaction: all of it or nothing. Failures are BallastErrors with an NftErrorCode. */
export async function applyNft(script: string, options: NftOptions = {}): Promise<void> {
  await nft(['-f', '-'], script, options);
}

/** Runs a command that prints, such as ['-t', 'list', 'table', 'ip', 'x']. */
export function queryNft(args: readonly string[], options: NftOptions = {}): Promise<string> {
  return nft(args, undefined, options);
}

async function nft(args: readonly string[], input: string | undefined, options: NftOptions): Promise<string> {
  const [command, ...rest] =
    options.netns === undefined ? ['nft', ...args] : ['ip', 'netns', 'exec', options.netns, 'nft', ...args];
  const result = await runAnyExit(command ?? 'nft', rest, {
    ...(input === undefined ? {} : { input }),
    ...(options.signal ? { signal: options.signal } : {}),
  }).catch((error: unknown) => {
    const missing = error instanceof BallastError && error.code === 'command-missing';
    throw missing ? new BallastError('nft-missing', 'nft is not installed: install nftables', { cause: error }) : error;
  });
  if (result.exitCode === 0) return result.stdout;
  const code = classifyNftFailure(result.exitCode, result.stderr);
  throw new BallastError(code, `nft failed (exit ${result.exitCode}): ${shorten(result.stderr)}`);
}

/** nft repeats the whole line that it dislikes, which may hold thousands of elements. */
function shorten(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !/^[\s^~]+$/.test(line));
  const short = lines.slice(0, 6).map((line) => (line.length > 200 ? `${line.slice(0, 200)}...` : line));
  return lines.length > 6 ? `${short.join('; ')}; and ${lines.length - 6} lines more` : short.join('; ');
}
