import '../ui/page.css';
import '../ui/fields.css';
import '../ui/marked-text.css';
import './errors.css';
import './confusion-matrix.css';
import './number-scatter.css';
import './examples-list.css';
import { followSeries } from '../charts/chart-colors';
import { registerToolkit } from '../ui/toolkit';
import { ErrorsPage } from './errors-page';

followSeries();
registerToolkit();
customElements.define('aurora-errors', ErrorsPage);
document.body.append(document.createElement('aurora-errors'));
