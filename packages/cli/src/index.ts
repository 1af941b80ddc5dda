export { runCli } from './cli.ts';
export { installation } from './installation.ts';
export { type KubernetesTool, toolPath } from './kubernetes-tools.ts';
export { type BringUpOptions, bringUp } from './lab-bring-up.ts';
