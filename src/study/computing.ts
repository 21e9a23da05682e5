/**
 * What turns runs into a study: a tenth of the extension host's code, read when the first study is opened (bundles.mjs
 * makes a file of its own of it, dist/study.cjs).
 */
export { plainStudy } from './lines';
export { reportFiles } from './report';
export { studyOf } from './study';
