/** One instruction of a Dockerfile. */
export interface DockerInstruction {
  /** In upper case. */
  readonly name: string;
  /** What follows, continuation lines joined by one space. */
  readonly text: string;
}

/** The instructions in order, without comments. Heredocs and parser directives are not understood and not used. */
export function parseDockerfile(source: string): readonly DockerInstruction[] {
  const lines = source.split('\n').filter((line) => !line.trimStart().startsWith('#'));
  const joined = lines.join('\n').replaceAll(/\\\n\s*/gu, ' ');
  return joined.split('\n').flatMap((line) => {
    const [, name = '', text = ''] = /^([A-Za-z]+)\s+(.*)$/u.exec(line.trim()) ?? [];
    if (line.trim() !== '' && name === '') throw new Error(`not an instruction: ${line}`);
    return name === '' ? [] : [{ name: name.toUpperCase(), text: text.trim() }];
  });
}

/** The words of an instruction in exec form; undefined where it is in shell form. */
export function execForm(text: string): readonly string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  const words: unknown = JSON.parse(text);
  return Array.isArray(words) && words.every((word) => typeof word === 'string') ? words : undefined;
}
