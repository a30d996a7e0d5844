export function findMissing(root: string): string | undefined;
