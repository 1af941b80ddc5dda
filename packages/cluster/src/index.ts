export * from './agent.ts';
export * from './layout.ts';
export * from './ports.ts';
export * from './preflight.ts';
export * from './role-settings.ts';
export * from './server.ts';
export * from './settings.ts';
export * from './supervisor.ts';
