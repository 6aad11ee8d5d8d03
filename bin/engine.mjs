// One line instead of a stack of somebody's syntax errors. Read by whatever Node there is: nothing newer than modules in here.

/** Oldest Node that runs this, as in package.json. */
const OLDEST = /** @type {const} */ ([20, 19])

/**
 * What is wrong with a Node, or null.
 * @param {string} version as in process.versions.node
 * @returns {string | null}
 */
export const engineProblem = (version) => {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])
  return isOld ? `coalition needs Node ${OLDEST.join('.')} or later, this is ${version}` : null
}

const problem = engineProblem(process.versions.node)
if (problem !== null) {
  console.error(problem)
  process.exit(2)
}
