import '../ui/page.css';
import '../ui/fields.css';
import '../spans/spans.css';
import './errors.css';
import './labels/matrix.css';
import './numbers/scatter.css';
import './list.css';
import { followSeries } from '../charts/series';
import { registerToolkit } from '../ui/toolkit';
import { ErrorsApp } from './app';

followSeries();
registerToolkit();
customElements.define('aurora-errors', ErrorsApp);
document.body.append(document.createElement('aurora-errors'));
