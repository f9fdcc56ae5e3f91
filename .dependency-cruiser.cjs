/**
 * The floors of the house: each imports only from those above it. `npm run floors` holds them, and
 * ARCHITECTURE.md says what is on which.
 */
const FLOORS = [
  'base',
  'ops',
  'model',
  'engines',
  'files',
  'tokenizer',
  'text',
  'load',
  'hub',
  'convert',
  'oracle',
  'server',
  'cli',
];

/** Which folders may touch Node; all others run in any JavaScript engine. */
const NODE = [
  '^src/base/(disk|partial|cores|worker)\\.ts$',
  '^src/engines/wasm/platform/',
  '^src/files/(file|file-identity|weight-files)\\.ts$',
  '^src/(load|hub|convert|oracle|server|cli)/',
];

/** Which packages are needed at run time, and by whom. */
const PACKAGES = {
  '@huggingface/hub': '^src/hub/',
  '@huggingface/jinja': '^src/text/',
  '@hono/node-server': '^src/server/',
  hono: '^src/server/',
  pino: '^src/server/',
  'prom-client': '^src/server/',
  zod: '^src/server/',
};

const below = floor => `^src/(${FLOORS.slice(FLOORS.indexOf(floor) + 1).join('|')})/`;

module.exports = {
  forbidden: [
    ...FLOORS.slice(0, -1).map(floor => ({
      name: `${floor}-imports-nothing-below`,
      severity: 'error',
      from: { path: `^src/${floor}/` },
      to: { path: below(floor) },
    })),
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-cycles-between-folders',
      severity: 'error',
      scope: 'folder',
      from: {},
      to: { circular: true },
    },
    {
      name: 'engines-apart',
      comment: 'an engine does not know that there is another',
      severity: 'error',
      from: { path: '^src/engines/([^/]+)/' },
      to: { path: '^src/engines/', pathNot: '^src/engines/$1/' },
    },
    {
      name: 'node-behind-seams',
      severity: 'error',
      from: { path: '^src/', pathNot: NODE },
      to: { dependencyTypes: ['core'] },
    },
    ...Object.entries(PACKAGES).map(([name, path]) => ({
      name: `${name}-in-one-place`,
      severity: 'error',
      from: { path: '^src/', pathNot: path },
      to: { path: `^node_modules/${name}/` },
    })),
    {
      name: 'no-other-packages',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        path: '^node_modules/',
        pathNot: `^node_modules/(@types/node|${Object.keys(PACKAGES).join('|')})/`,
      },
    },
    {
      name: 'server-when-needed',
      comment: 'what is not for a server loads none of its packages; its options need none',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/server/' },
      to: {
        path: '^src/server/',
        pathNot: '^src/server/settings/',
        dynamic: false,
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'page-apart',
      comment: 'the page runs in a browser, which is given only what is in its folder',
      severity: 'error',
      from: { path: '^src/server/playground/web/' },
      to: { pathNot: '^src/server/playground/web/' },
    },
    {
      name: 'page-for-browsers',
      comment: 'the rest of the house has no document and no window',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/server/playground/web/' },
      to: { path: '^src/server/playground/web/' },
    },
    {
      name: 'no-orphans',
      comment: 'what nobody imports is dead',
      severity: 'error',
      from: {
        orphan: true,
        path: '^src/',
        pathNot: ['\\.d\\.ts$', '^src/ops/exp32\\.ts$'],
      },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
};
