export { SCHEDULER_NAME, type SchedulerOptions, startScheduler } from './start.ts';
