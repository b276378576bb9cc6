"""What is around a driver: boards on USB, and the container of the vendor's compiler."""

from __future__ import annotations

from typing import Any

from femtodriver.device.evk2.usb_boards import EvkBoard, boards_with
from femtodriver.driver.driver_state import DriverState
from femtodriver.femtocrux.marked_containers import clean_up
from femtodriver.options.bind_request import check_value
from femtodriver.options.value_kinds import CLEANUP, TEXT


class BoardsAndContainers(DriverState):
    """The methods of ``Femtodriver`` about boards and containers. ``say(text)`` gets what they report."""

    @property
    def femtocrux_client(self) -> Any:
        """The vendor's client while its container runs, else None."""
        return self._service.client

    def get_docker_logs(self) -> str:
        """The log of the container of the vendor's compiler; "No logs available" while none runs."""
        return self._service.logs()

    def cleanup_docker_containers(self, which: bool | str = True) -> None:
        """Remove containers of the vendor's compiler that ended runs of ours have left.

        ``which`` "all": every running one of the vendor's image, whoever started it.
        """
        check_value(CLEANUP, which, "which")
        clean_up(which, self.say)

    @staticmethod
    def list_connected_devices(spu: str | None = None) -> list[EvkBoard]:
        """The EVK2 boards on USB, those with that part (any: None or "all"). DeviceError without the package hidapi."""
        if spu is not None and spu != "":
            check_value(TEXT, spu, "spu")
        return boards_with(spu)
