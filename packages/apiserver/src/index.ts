export { type ApiServerOptions, type RunningApiServer, startApiServer } from './server.ts';
