// Plain JavaScript: a Node that is too old for the rest has to read it.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 22)) {
  process.stderr.write(
    `The scripts of this checkout need Node 22.22 or newer, and this is ${process.versions.node}. On Linux, npm ci installs Node 24 for them; elsewhere, install it yourself.\n`,
  )
  process.exitCode = 1
}
