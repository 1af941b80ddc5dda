export { compileCrd } from './compile.ts';
export { crdProblems } from './problems.ts';
export { completeNames, crdStatus, isEstablished, type TakenNames } from './status.ts';
