import { readFileSync } from 'node:fs';

/** Linux tells CPU time in hundredths of a second (USER_HZ), whatever its own clock. */
const microsPerTick = 10_000;

/** The CPU time of all threads of the process so far, in user mode and in the kernel on its behalf, microseconds. */
export function cpuMicrosOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // Behind the name, which may hold spaces: field 3 comes first, utime is field 14 and stime 15.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * microsPerTick;
}

/** Resident memory of the process, MB (1000000 bytes). */
export function residentMegabytesOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return (Number(kilobytes) * 1024) / 1_000_000;
}

/** The processes that the process has started by its main thread, as Node does, and that are still there. */
export function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);
}
