import '../ui/page.css';
import './budget.css';
import { followSeries } from '../charts/series';
import { registerToolkit } from '../ui/toolkit';
import { BudgetApp } from './app';

followSeries();
registerToolkit();
customElements.define('aurora-budget', BudgetApp);
document.body.append(document.createElement('aurora-budget'));
