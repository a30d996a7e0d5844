import { watch, type FSWatcher } from 'node:fs';
import { messageOf } from '../core/failure.ts';
import type { Logger } from '../core/ports.ts';

/** Watches folders, each by itself. */
export interface FolderWatch {
  /** Watches exactly these from now on. */
  follow(folders: readonly string[]): void;
  close(): void;
}

/** Calls `onChange` for whatever happens in a folder. One that cannot be watched is logged; polling has to find its changes. */
export function createFolderWatch(logger: Logger, onChange: () => void): FolderWatch {
  const watchers = new Map<string, FSWatcher>();
  const unwatchable = new Set<string>();
  const stop = (folder: string): void => {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  };
  const start = (folder: string): void => {
    try {
      const watcher = watch(folder, { persistent: false }, onChange);
      watcher.on('error', () => stop(folder));
      watchers.set(folder, watcher);
      unwatchable.delete(folder);
    } catch (thrown) {
      if (unwatchable.has(folder)) return;
      unwatchable.add(folder);
      logger.warn(
        { folder, error: messageOf(thrown) },
        'the folder cannot be watched; its changes are found by polling',
      );
    }
  };
  return {
    follow: (folders) => {
      for (const folder of watchers.keys()) if (!folders.includes(folder)) stop(folder);
      for (const folder of folders) if (!watchers.has(folder)) start(folder);
    },
    close: () => {
      for (const folder of watchers.keys()) stop(folder);
    },
  };
}
