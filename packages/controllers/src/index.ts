export { type Controller, type ControllerContext, DEFAULT_NODE_TIMINGS, type NodeTimings } from './controller.ts';
export { CONTROLLERS } from './list.ts';
export { type ControllersOptions, startControllers } from './start.ts';
