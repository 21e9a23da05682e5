/** The code that turns runs into a study: a tenth of the extension host's code, loaded when the first study is opened. */
export { plainStudy } from './lines';
export { reportFiles } from './report';
export { shownOf } from './shown';
export { studyOf } from './study';
