export { canonicalQuantity } from './canonical-quantity.ts';
export { cannotBeHandled, type Decoded, type DecodeOptions, decode, strictDecodingMessage } from './decode.ts';
export { applyDefaults, applySchemaDefaults, type KindOf } from './defaults.ts';
export { duplicateFields } from './duplicate-fields.ts';
export { type Validation, validateCreate, validateUpdate } from './validate.ts';
