/** Notices that files have been written. */
import { watch } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'

/** Editors write a file in several steps. */
const QUIET_MS = 100

export interface FileChanges extends Disposable {
  /** Resolves with the next change; at once if there has been one since it was last asked. */
  next(): Promise<void>
}

/** @param paths of files; their folders are watched, as editors replace files rather than write them */
export function watchFiles(paths: readonly string[]): FileChanges {
  let changed = Promise.withResolvers<void>()
  let timer: NodeJS.Timeout | undefined
  const files = new Map(paths.map((path) => [resolve(path), basename(path)]))
  const folders = new Set([...files.keys()].map((path) => dirname(path)))
  const watchers = [...folders].map((folder) =>
    watch(folder, (_event, name) => {
      if (name !== null && !files.has(resolve(folder, name))) return
      clearTimeout(timer)
      timer = setTimeout(() => changed.resolve(), QUIET_MS)
    }),
  )
  return {
    async next() {
      await changed.promise
      changed = Promise.withResolvers<void>()
    },
    [Symbol.dispose]() {
      clearTimeout(timer)
      for (const watcher of watchers) watcher.close()
    },
  }
}
