export * from './apply-manifests.ts';
export * from './faults.ts';
export * from './lab.ts';
export { LAB_ROOT, type LabState, labNames } from './lab-state.ts';
export * from './lan-manifests.ts';
export * from './status.ts';
export * from './topology.ts';
