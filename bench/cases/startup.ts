import { execFileSync, spawnSync } from 'node:child_process'
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MILLRACE } from '../child.ts'
import { type CaseResult, median, round3 } from '../measure.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const STARTS = 20

/** `millrace lint` as a whole process against a Node that does nothing, and what an installation of the package takes up. */
export async function startup(progress: (text: string) => void): Promise<CaseResult> {
  const lint = [MILLRACE, 'lint', join(ROOT, 'examples', 'orders-etl.yaml')]
  const nothing = ['-e', '0']
  const times = { lint: [] as number[], node: [] as number[] }
  // The first ones fill the caches of disk and compiler.
  millisecondsOf(lint)
  millisecondsOf(nothing)
  for (let start = 0; start < STARTS; start++) {
    times.node.push(millisecondsOf(nothing))
    times.lint.push(millisecondsOf(lint))
  }
  const milliseconds = { lint: median(times.lint), node: median(times.node) }
  progress(`lint ${milliseconds.lint.toFixed(0)} ms, node ${milliseconds.node.toFixed(0)} ms`)
  const installedMegabytes = measureInstallation()
  progress(`installed: ${installedMegabytes} MB`)
  return {
    unit: 'milliseconds',
    ours: { lint: round3(milliseconds.lint) },
    peers: { node: round3(milliseconds.node) },
    ratios: { 'lint/node': round3(milliseconds.lint / milliseconds.node) },
    installedMegabytes,
    samples: { lint: times.lint.map(round3), node: times.node.map(round3) },
  }
}

function millisecondsOf(args: readonly string[]): number {
  const start = performance.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  const milliseconds = performance.now() - start
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}\n${stdout}${stderr}`)
  return milliseconds
}

/** Packs the package, installs it into an empty folder as a user would, and adds up what lies on the disk, in 10^6 bytes. */
function measureInstallation(): number {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-install-'))
  try {
    const pack = execFileSync('npm', ['pack', '--json', '--workspace', 'millrace', '--pack-destination', folder], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    const packed: unknown = JSON.parse(pack)
    const [first] = Array.isArray(packed) ? packed : Object.values(packed as object)
    const project = join(folder, 'project')
    mkdirSync(project)
    writeFileSync(join(project, 'package.json'), '{ "private": true }')
    const tarball = join(folder, (first as { filename: string }).filename)
    execFileSync('npm', ['install', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error', tarball], {
      cwd: project,
      stdio: 'pipe',
    })
    return Math.round(bytesOnDisk(join(project, 'node_modules')) / 1e5) / 10
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function bytesOnDisk(path: string): number {
  const stat = lstatSync(path)
  const own = stat.blocks * 512
  return stat.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + bytesOnDisk(join(path, name)), own) : own
}
