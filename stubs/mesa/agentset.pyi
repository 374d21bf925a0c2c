from mesa.agent import AgentSet as AgentSet
from mesa.agent import GroupBy as GroupBy
