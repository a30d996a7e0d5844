/** The lines of a table: the first column to the left, figures to the right. The first row is its head. */
export function formatTable(table: readonly (readonly string[])[]): string[] {
  const columns = table[0] ?? [];
  const widths = columns.map((_name, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
  return table.map((cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
}
