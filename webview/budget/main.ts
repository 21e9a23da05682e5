import '../ui/page.css';
import './budget.css';
import { followSeries } from '../charts/chart-colors';
import { registerToolkit } from '../ui/toolkit';
import { BudgetPage } from './budget-page';

followSeries();
registerToolkit();
customElements.define('aurora-budget', BudgetPage);
document.body.append(document.createElement('aurora-budget'));
