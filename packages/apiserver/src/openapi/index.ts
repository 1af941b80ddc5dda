export { openApiPath, openApiV3Document, openApiV3Index } from './document.ts';
export { OPENAPI_V2_PROTOBUF, openApiV2Json, openApiV2Protobuf } from './v2.ts';
