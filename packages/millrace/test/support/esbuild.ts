/** esbuild, which users bundle with. It is fetched from npm when a test needs it, and kept in the cache folder: its package without native code has no install script. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder } from '../../../../test-bed/java.ts'

const VERSION = '0.28.2'
const run = promisify(execFile)

/** @returns the script to run; `undefined` when it cannot be fetched, for example without a network */
export async function fetchEsbuild(): Promise<string | undefined> {
  const folder = join(cacheFolder(), `esbuild-wasm-${VERSION}`)
  const script = join(folder, 'node_modules', 'esbuild-wasm', 'bin', 'esbuild')
  if (existsSync(script)) return script
  mkdirSync(folder, { recursive: true })
  const args = ['install', '--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund']
  try {
    await run('npm', [...args, `esbuild-wasm@${VERSION}`], { cwd: folder, timeout: 120_000 })
  } catch {
    return undefined
  }
  return existsSync(script) ? script : undefined
}
