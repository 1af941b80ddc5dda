import module from 'node:module';
import { installation } from './installation.ts';

// Compiled code is kept between runs: many short-lived processes load the same modules. A folder that cannot be written is no error.
module.enableCompileCache(installation.compileCache);
const { runCli } = await import('./cli.ts');
process.exitCode = await runCli(process.argv.slice(2));
