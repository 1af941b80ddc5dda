import module from 'node:module';
import { installation } from './installation.ts';

// Compiled code is kept between runs: many processes load the same modules. The variable is for processes and worker threads started from
// here. A folder that cannot be written is no error.
process.env.NODE_COMPILE_CACHE ??= installation.compileCache;
module.enableCompileCache(process.env.NODE_COMPILE_CACHE);
const { runCli } = await import('./cli.ts');
// What a failed command left open must not keep it from ending.
process.exit(await runCli(process.argv.slice(2)));
