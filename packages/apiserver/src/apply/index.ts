export { conflictText } from './conflict-text.ts';
export { FieldSet } from './field-set.ts';
export { ListMergeError } from './path-element.ts';
export { type ApplyConflict, type ApplyOutcome, type ApplyRequest, applyServerSide } from './server-side.ts';
export { trackUpdate, type UpdateToTrack } from './track-update.ts';
