import { open } from 'node:fs/promises'

/** Makes the names in a folder last: of a file that was created or renamed in it. Where folders cannot be synced, as on Windows, nothing is done. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r').catch(() => undefined)
  if (handle === undefined) return
  try {
    await handle.sync().catch(() => {})
  } finally {
    await handle.close()
  }
}
