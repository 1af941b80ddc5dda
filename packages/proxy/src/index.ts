export { type Dataplane, kernelDataplane } from './dataplane.ts';
export { removal as removalScript } from './ruleset.ts';
export { type ServiceProxy, type ServiceProxyOptions, startServiceProxy } from './service-proxy.ts';
