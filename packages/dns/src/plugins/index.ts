import type { Plugin } from '../chain/plugin.ts';
import { acl } from './acl/index.ts';
import { any } from './any/index.ts';
import { bind } from './bind/index.ts';
import { cache } from './cache/index.ts';
import { debug } from './debug/index.ts';
import { erratic } from './erratic/index.ts';
import { errors } from './errors/index.ts';
import { file } from './file/index.ts';
import { forward } from './forward/index.ts';
import { health } from './health/index.ts';
import { hosts } from './hosts/index.ts';
import { kubernetes } from './kubernetes/index.ts';
import { loadbalance } from './loadbalance/index.ts';
import { log } from './log/index.ts';
import { loop } from './loop/index.ts';
import { prometheus } from './prometheus/index.ts';
import { ready } from './ready/index.ts';
import { reload } from './reload/index.ts';
import { rewrite } from './rewrite/index.ts';
import { template } from './template/index.ts';
import { whoami } from './whoami/index.ts';

/**
 * Every directive, in the order of the chain: a plugin may change what those below it are asked and answer, and knows nothing of those
 * above. The order is CoreDNS's and does not depend on the Corefile. Where it matters for safety: `cache` stands below `loadbalance` (a
 * cached answer is shuffled anew) and below `rewrite` and `acl` (a cached answer goes only to who may have it), and `loop` right above `forward` (what it stops is forwarding).
 */
export const PLUGINS: readonly Plugin[] = [
  reload,
  bind,
  debug,
  ready,
  health,
  prometheus,
  errors,
  log,
  any,
  loadbalance,
  rewrite,
  acl,
  cache,
  template,
  hosts,
  kubernetes,
  file,
  loop,
  forward,
  erratic,
  whoami,
];
