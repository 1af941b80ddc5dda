export { runCli } from './cli.ts';
export { toolPath } from './kubernetes-tools.ts';
export { bringUp } from './lab-bring-up.ts';
