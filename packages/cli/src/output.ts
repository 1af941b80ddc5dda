import { Option } from 'commander';
import { stringify } from 'yaml';

/** `--output json|yaml` for commands that show data. */
export function outputOption(): Option {
  return new Option('-o, --output <format>', 'show data for programs').choices(['json', 'yaml']);
}

/** Prints `data` in the format asked for, or the text for people. */
export function printData(format: string | undefined, data: unknown, text: () => string): void {
  if (format === 'json') process.stdout.write(`${JSON.stringify(data, null, 2)}\n`);
  else if (format === 'yaml') process.stdout.write(stringify(data));
  else process.stdout.write(`${text()}\n`);
}
