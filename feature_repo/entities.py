"""What features are about; each is one column of a request."""

from feast import Entity, ValueType

origin = Entity(name="origin", join_keys=["origin"], value_type=ValueType.STRING, description="airport of departure")
dest = Entity(name="dest", join_keys=["dest"], value_type=ValueType.STRING, description="airport of arrival")
carrier = Entity(name="carrier", join_keys=["carrier"], value_type=ValueType.STRING, description="airline code")
flight = Entity(name="flight", join_keys=["flight"], value_type=ValueType.INT64, description="flight number")
tailnum = Entity(name="tailnum", join_keys=["tailnum"], value_type=ValueType.STRING, description="tail that flies")
