/** Where a result comes from: without it no number means anything. */

import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')

export interface Environment {
  date: string
  cpu: string
  cores: number
  memoryGigabytes: number
  /** Load of the machine over the last minute, before the run. */
  load: number
  node: string
  java: string
  kafka: string
  /** The commit that was measured, with a plus when the checkout differs from it. */
  commit: string
  peers: { kafkajs: string; platformatic: string }
}

export function describeEnvironment(): Environment {
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model.trim() ?? '',
    cores: availableParallelism(),
    memoryGigabytes: Math.round(totalmem() / 1e9),
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
    node: process.version,
    java: /version "([^"]+)"/.exec(spawnSync('java', ['-version'], { encoding: 'utf8' }).stderr ?? '')?.[1] ?? '',
    kafka: /<kafka\.version>(.*?)</.exec(readFileSync(join(ROOT, 'test-bed', 'pom.xml'), 'utf8'))?.[1] ?? '',
    commit: commitOf(ROOT),
    peers: { kafkajs: installed('kafkajs'), platformatic: installed('@platformatic/kafka') },
  }
}

function installed(name: string): string {
  return (JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')) as { version: string })
    .version
}

/** The commit of a checkout, with a plus when files differ from it; empty where there is no git. */
export function commitOf(folder: string): string {
  try {
    const git = (...args: string[]) =>
      execFileSync('git', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
    return (
      git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+')
    )
  } catch {
    return ''
  }
}
