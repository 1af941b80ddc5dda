import { badRequest } from '../object/failures.ts';
import type { SubresourceHandler } from './index.ts';

/** exec, attach and portforward are streams: requests that ask for an upgrade never come here (see kubelet/upgrade.ts). */
export const serveUpgradeOnly: SubresourceHandler = async () => {
  throw badRequest('Upgrade request required');
};
