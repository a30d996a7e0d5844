import { Option } from 'commander';
import { formatYaml } from '../std/format-yaml.ts';

export type OutputFormat = 'table' | 'json' | 'yaml';

/** The option `-o, --output`. */
export function outputOption(...formats: readonly OutputFormat[]): Option {
  const [first = 'table'] = formats;
  return new Option('-o, --output <FORMAT>', 'how to print').choices(formats).default(first, first);
}

/** The data in the format; `table` makes the text for people. */
export function formatData(data: unknown, format: OutputFormat, table: () => string): string {
  switch (format) {
    case 'table':
      return table();
    case 'json':
      return `${JSON.stringify(data, undefined, 2)}\n`;
    case 'yaml':
      return formatYaml(data);
  }
}
