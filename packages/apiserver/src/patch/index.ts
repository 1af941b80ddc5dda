export { applyJsonPatch } from './json-patch.ts';
export { PatchError } from './json-pointer.ts';
export { applyMergePatch, diffMergePatch } from './merge-patch.ts';
export { applyStrategicMergePatch } from './strategic-merge-patch.ts';
