import { forward } from '../kubelet/forward.ts';
import { kubeletTarget } from '../kubelet/target.ts';
import { methodNotAllowed } from '../object/failures.ts';
import type { SubresourceHandler } from './index.ts';

/** A container's log, streamed from the agent of its node. */
export const serveLog: SubresourceHandler = async (call, verb) => {
  if (verb !== 'get') throw methodNotAllowed();
  const { kernel, exchange } = call;
  const { node, path } = kubeletTarget(call);
  await forward(exchange, { tls: true, ...node, path, agent: kernel.kubelets.agent }, kernel.stopping);
};
