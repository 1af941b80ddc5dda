export { openApiPath, openApiV3Document, openApiV3Index } from './document.ts';
