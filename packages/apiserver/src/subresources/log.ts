import { forward } from '../kubelet/forward.ts';
import { kubeletTarget } from '../kubelet/target.ts';
import { failure, methodNotAllowed } from '../object/failures.ts';
import type { SubresourceHandler } from './index.ts';

/** A container's log, streamed from the agent of its node. */
export const serveLog: SubresourceHandler = async (call, verb) => {
  if (verb !== 'get') throw methodNotAllowed();
  const { kernel, exchange } = call;
  const { node, path } = kubeletTarget(call);
  const target = { tls: true, ...node, path, agent: kernel.kubelets.agent };
  await forward(exchange, target, kernel.stopping, refusalOfAgent);
};

/** The agent says in plain text why there is no log, for example that the container is waiting to start; clients read only a Status. */
function refusalOfAgent(statusCode: number, text: string): Error {
  if (statusCode === 400) return failure('BadRequest', text);
  if (statusCode === 404) return failure('NotFound', text);
  return failure('InternalError', `Internal error occurred: ${text}`);
}
