/** The value as block YAML, its texts quoted as in JSON, so that none reads as another type. What JSON leaves out (undefined, functions) is left out. */
export function formatYaml(value: unknown): string {
  // Through JSON first, so that only what JSON has is left.
  const text = JSON.stringify(value);
  return text === undefined ? '' : `${lines(JSON.parse(text), '').join('\n')}\n`;
}

function lines(value: unknown, indent: string): string[] {
  if (Array.isArray(value)) {
    if (value.length === 0) return [`${indent}[]`];
    return value.flatMap((item: unknown) => {
      const [first = '', ...rest] = lines(item, `${indent}  `);
      return [`${indent}- ${first.trimStart()}`, ...rest];
    });
  }
  if (typeof value !== 'object' || value === null) return [`${indent}${JSON.stringify(value)}`];
  const members = Object.entries(value);
  if (members.length === 0) return [`${indent}{}`];
  return members.flatMap(([name, member]: [string, unknown]) => {
    const key =
      /^[A-Za-z][A-Za-z0-9]*$/.test(name) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(name)
        ? name
        : JSON.stringify(name);
    const inner = lines(member, `${indent}  `);
    if (isNested(member)) return [`${indent}${key}:`].concat(inner);
    return [`${indent}${key}: ${inner.join('').trimStart()}`];
  });
}

/** True where the value takes lines of its own. */
function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}
